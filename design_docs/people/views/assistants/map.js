// Each assistant: the person assisted -> the assistant's name and job.
function (doc) {
  if (doc.type !== 'person') { return; }
  if (typeof doc.assists === 'string' && doc.assists) {
    emit(doc.assists, { name: doc.name || '', job: doc.job || '' });
  }
}
