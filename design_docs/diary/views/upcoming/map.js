// Key [kind, who, day], once under the person it is for, once under "*" for everybody and once under "@" and the
// customer's id, so that "mine", "everyone's" and a customer's are each one range in order of the day. The value is
// what a line on the home page shows.
function (doc) {
  if (doc.type !== 'activity' && doc.type !== 'task' && doc.type !== 'opportunity') { return; }
  function line(kind, who, day, value) {
    value.who = who || '';
    if (who) {
      emit([kind, who, day], value);
    }
    emit([kind, '*', day], value);
    if (doc.customer) {
      emit([kind, '@' + doc.customer, day], value);
    }
  }
  if (doc.type === 'activity' && doc.follow_up && !doc.follow_up_done) {
    line('follow_up', doc.salesperson, doc.follow_up, {
      customer: doc.customer || '',
      person: doc.person || '',
      machine: doc.machine || '',
      kind: doc.kind || '',
      at: doc.at || '',
      title: doc.subject || ''
    });
  }
  if (doc.type === 'task' && !doc.done) {
    // A task without a day comes after all that have one.
    line('task', doc.assigned_to, doc.due_on || '9999-12-31', {
      customer: doc.customer || '',
      person: doc.person || '',
      machine: doc.machine || '',
      title: doc.title || ''
    });
  }
  if (doc.type === 'opportunity' && doc.stage !== 'won' && doc.stage !== 'lost') {
    line('opportunity', doc.salesperson, doc.expected_on || '9999-12-31', {
      customer: doc.customer || '',
      title: doc.title || '',
      stage: doc.stage || '',
      value: doc.value === undefined ? null : doc.value
    });
  }
}
