// Quantity by [dealer, month, part].
function (doc) {
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      emit([doc.dealer, row.month, row.part], row.quantity);
    });
  }
}
