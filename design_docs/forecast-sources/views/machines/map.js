// ["model", make, model] and ["customer", id] -> one row for each machine, the machine's id being the row's.
function (doc) {
  if (doc.type !== 'machine') {
    return;
  }
  emit(['model', doc.make || '', doc.model || ''], null);
  if (doc.customer) {
    emit(['customer', doc.customer], null);
  }
}
