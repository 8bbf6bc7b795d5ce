// One row for each entry of the log of changes: [document, at].
function (doc) {
  if (doc.type !== 'change') { return; }
  if (doc.document) {
    emit([doc.document, doc.at || ''], null);
  }
}
