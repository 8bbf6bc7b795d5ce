// What opportunities are worth by [stage, dealer].
function (doc) {
  if (doc.type === 'opportunity') {
    emit([doc.stage || '', doc.dealer], typeof doc.value === 'number' ? doc.value : 0);
  }
}
