// Quantity by [make, model, month, part].
function (doc) {
  if (doc.type === 'standing' && doc.demand) {
    doc.demand.forEach(function (row) {
      emit([doc.make || '', doc.model || '', row.month, row.part], row.quantity);
    });
  }
}
