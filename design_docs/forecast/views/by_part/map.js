// As by_month, of the coming twelve months together: by [dealer, make, part], a row for each machine that needs the part.
function (doc) {
  if (doc.type !== 'standing') { return; }
  if (!doc.demand) { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  var parts = {};
  doc.demand.forEach(function (row) {
    var sums = parts[row.part] || [1, 0, 0, 0];
    var priced = typeof row.value === 'number';
    parts[row.part] = [1, sums[1] + row.quantity, sums[2] + (priced ? row.value : 0), priced ? 0 : 1];
  });
  for (var part in parts) {
    if (Object.prototype.hasOwnProperty.call(parts, part)) {
      emit([null, make, part], parts[part]);
      emit([doc.dealer, make, part], parts[part]);
    }
  }
}
