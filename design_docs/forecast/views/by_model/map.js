// [1, value at list prices] by [make, model, month]: a row for each machine that needs parts in a month. How many of
// which part is not told here, for litres and pieces do not add up.
function (doc) {
  if (doc.type !== 'standing') { return; }
  if (!doc.demand) { return; }
  var months = {};
  doc.demand.forEach(function (row) {
    months[row.month] = (months[row.month] || 0) + (typeof row.value === 'number' ? row.value : 0);
  });
  var make = typeof doc.make === 'string' ? doc.make : '';
  var model = typeof doc.model === 'string' ? doc.model.replace(/^model:/, '') : '';
  for (var month in months) {
    if (Object.prototype.hasOwnProperty.call(months, month)) {
      emit([make, model, month], [1, months[month]]);
    }
  }
}
