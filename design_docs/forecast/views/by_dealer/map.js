// [quantity, value] by [dealer, part, month].
function (doc) {
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      emit([doc.dealer, row.part, row.month], [row.quantity, row.value || 0]);
    });
  }
}
