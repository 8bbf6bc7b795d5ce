// Each keepsake with a birthday: month and day, MM-DD -> what a reminder says.
function (doc) {
  if (doc.type !== 'keepsake') { return; }
  if (typeof doc.birthday === 'string' && /^\d\d-\d\d$/.test(doc.birthday)) {
    emit(doc.birthday, {
      person: doc.person || '',
      customer: doc.customer || '',
      birth_year: typeof doc.birth_year === 'number' ? doc.birth_year : null,
      flowers: doc.flowers || ''
    });
  }
}
