// [quantity, value] by [month, part].
function (doc) {
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      emit([row.month, row.part], [row.quantity, row.value || 0]);
    });
  }
}
