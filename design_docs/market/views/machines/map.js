// Machines by make and model, by dealer and by make, and those sold on or scrapped: whatever is counted can be listed.
function (doc) {
  if (doc.type !== 'machine') { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  var model = typeof doc.model === 'string' ? doc.model.replace(/^model:/, '') : '';
  emit(['model', make, model, doc.dealer], null);
  emit(['dealer', doc.dealer, make, model], null);
  emit(['make', make, doc.dealer], null);
  if (doc.status === 'sold on' || doc.status === 'scrapped') { emit(['gone', doc.dealer, make], null); }
}
