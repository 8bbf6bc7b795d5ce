// One row for each document with disputes: [type, updated_at] -> how many, so that the newest of a type come together.
function (doc) {
  if (doc.disputes && doc.disputes.length) {
    emit([doc.type || '', doc.updated_at || ''], doc.disputes.length);
  }
}
