// [quantity, value] by [part, month].
function (doc) {
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      emit([row.part, row.month], [row.quantity, row.value || 0]);
    });
  }
}
