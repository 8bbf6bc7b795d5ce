// What is needed, [rows, quantity, value at list prices, rows without a price] by [dealer, make, month, part]; a dealer
// that is null stands for all of them. Whatever is chosen is a range, or one for each make, and its rows add up to it.
function (doc) {
  if (doc.type !== 'standing') { return; }
  if (!doc.demand) { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  doc.demand.forEach(function (row) {
    var priced = typeof row.value === 'number';
    var value = [1, row.quantity, priced ? row.value : 0, priced ? 0 : 1];
    emit([null, make, row.month, row.part], value);
    emit([doc.dealer, make, row.month, row.part], value);
  });
}
