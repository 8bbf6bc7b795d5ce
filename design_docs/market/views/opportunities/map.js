// What opportunities are worth by stage and by dealer; those neither won nor lost are open as well.
function (doc) {
  if (doc.type !== 'opportunity') { return; }
  var stage = typeof doc.stage === 'string' ? doc.stage : '';
  var value = typeof doc.value === 'number' && isFinite(doc.value) ? doc.value : 0;
  emit(['stage', stage, doc.dealer], value);
  emit(['dealer', doc.dealer, stage], value);
  if (stage !== 'won' && stage !== 'lost') { emit(['open', doc.dealer], value); }
}
