// Machines in customers' hands or in stock by [make, model, dealer].
function (doc) {
  if (doc.type === 'machine') {
    emit([doc.make || '', doc.model || '', doc.dealer], 1);
  }
}
