// Each reading: machine -> time and hours. Reduced by machine, the newest.
function (doc) {
  if (doc.type !== 'reading') { return; }
  if (doc.machine && typeof doc.at === 'string' && typeof doc.hours === 'number') {
    var value = { at: doc.at, hours: doc.hours };
    if (doc.position) { value.position = doc.position; }
    emit(doc.machine, value);
  }
}
