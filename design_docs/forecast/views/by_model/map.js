// [quantity, value] of all parts together by ["model", make, model, month] and ["dealer", dealer, make, month]: a row
// a machine and month; which parts these are is in by_month, by_part and by_dealer.
function (doc) {
  if (doc.type !== 'standing' || !doc.demand) { return; }
  var months = {};
  doc.demand.forEach(function (row) {
    var sums = months[row.month] || [0, 0];
    months[row.month] = [sums[0] + row.quantity, sums[1] + (row.value || 0)];
  });
  var make = doc.make || '', model = (doc.model || '').replace(/^model:/, '');
  for (var month in months) {
    if (Object.prototype.hasOwnProperty.call(months, month)) {
      emit(['model', make, model, month], months[month]);
      emit(['dealer', doc.dealer, make, month], months[month]);
    }
  }
}
