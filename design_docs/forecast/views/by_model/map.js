// Pieces of all parts together by [make, model, month]; which parts these are is in by_month and by_part.
function (doc) {
  var months = {}, month;
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      months[row.month] = (months[row.month] || 0) + row.quantity;
    });
    for (month in months) {
      if (Object.prototype.hasOwnProperty.call(months, month)) {
        emit([doc.make || '', doc.model || '', month], months[month]);
      }
    }
  }
}
