// Each number as it is looked up: capital letters and digits only -> what kind of number it is. Telephone numbers come
// again without their first one, two and three digits, as people leave the country out; serial numbers come again
// without the letters before the digits, and with their last five characters, which is what is left on a worn plate.
function (doc) {
  if (doc.type !== 'machine' && doc.type !== 'customer' && doc.type !== 'person') { return; }
  function plain(text) {
    return String(text).toUpperCase().replace(/[^0-9A-Z]/g, '');
  }
  function number(value, kind) {
    var key;
    if (typeof value !== 'string' && typeof value !== 'number') { return; }
    key = plain(value);
    if (key) { emit(key.slice(0, 60), kind); }
  }
  function serial(value, kind) {
    var key, digits;
    if (typeof value !== 'string' && typeof value !== 'number') { return; }
    number(value, kind);
    key = plain(value);
    digits = key.replace(/^[A-Z]+/, '');
    if (digits && digits !== key) { emit(digits.slice(0, 60), kind); }
    if (digits.length > 5) { emit(key.slice(-5), kind); }
  }
  function phone(value) {
    var digits, i;
    if (typeof value !== 'string') { return; }
    digits = value.replace(/[^0-9]/g, '').replace(/^0+/, '');
    for (i = 0; i < 4 && digits.length - i >= 4; i++) {
      emit(digits.slice(i, 30), 'telephone');
    }
  }
  var i;
  if (doc.type === 'machine') {
    serial(doc.serial, 'serial number');
    serial(doc.pin, 'PIN');
    number(doc.fleet_number, 'fleet number');
    number(doc.stock_number, 'stock number');
  } else if (doc.type === 'customer') {
    number(doc.number, 'customer number');
    phone(doc.phone);
  } else if (doc.type === 'person' && doc.phones && doc.phones.length) {
    for (i = 0; i < doc.phones.length; i++) {
      if (doc.phones[i]) { phone(doc.phones[i].number); }
    }
  }
}
