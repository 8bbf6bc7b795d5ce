// Machines by make and model, by dealer, by make, and by status: whatever is counted can be listed. In "status", a dealer
// or a make that is null stands for all of them: ["status", dealer, make, status, model].
function (doc) {
  if (doc.type !== 'machine') { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  var model = typeof doc.model === 'string' ? doc.model.replace(/^model:/, '') : '';
  var status = typeof doc.status === 'string' ? doc.status : '';
  emit(['model', make, model, doc.dealer], null);
  emit(['dealer', doc.dealer, make, model], null);
  emit(['make', make, doc.dealer], null);
  emit(['status', null, null, status, model], null);
  emit(['status', doc.dealer, null, status, model], null);
  emit(['status', null, make, status, model], null);
  emit(['status', doc.dealer, make, status, model], null);
}
