// A machine's id -> what its readings and services say, so that no document needs to be fetched.
function (doc) {
  if (!doc.machine) {
    return;
  }
  if (doc.type === 'reading') {
    emit(doc.machine, {type: 'reading', at: doc.at, hours: doc.hours});
  }
  if (doc.type === 'service') {
    emit(doc.machine, {
      type: 'service', done_on: doc.done_on, hours: doc.hours, kind: doc.kind, bulletin: doc.bulletin, lines: doc.lines
    });
  }
}
