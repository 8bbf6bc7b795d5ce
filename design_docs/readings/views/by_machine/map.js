// Each reading: [machine, time] -> what a reading says, so that no document has to be read.
function (doc) {
  if (doc.type !== 'reading') { return; }
  if (doc.machine && typeof doc.at === 'string' && typeof doc.hours === 'number') {
    var value = { at: doc.at, hours: doc.hours, source: doc.source || '' };
    if (doc.position) { value.position = doc.position; }
    emit([doc.machine, doc.at], value);
  }
}
