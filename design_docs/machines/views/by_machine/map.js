// Each document but readings that names a machine: [machine, type, day or time]. Read with include_docs.
function (doc) {
  if (!doc.machine) { return; }
  var SORTED_BY = { activity: 'at', service: 'done_on', task: 'due_on' };
  if (typeof doc.machine !== 'string' || doc.type === 'reading' || doc.type === 'change') { return; }
  var sorted = doc[SORTED_BY[doc.type] || 'created_at'];
  emit([doc.machine, doc.type || '', typeof sorted === 'string' ? sorted : ''], null);
}
