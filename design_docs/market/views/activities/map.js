// Visits, calls, e-mails and notes: [month, dealer, time].
function (doc) {
  if (doc.type !== 'activity') { return; }
  if (typeof doc.at === 'string') {
    emit([doc.at.slice(0, 7), doc.dealer, doc.at], null);
  }
}
