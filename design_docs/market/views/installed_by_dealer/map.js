// The same machines by [dealer, make].
function (doc) {
  if (doc.type === 'machine') {
    emit([doc.dealer, doc.make || ''], 1);
  }
}
