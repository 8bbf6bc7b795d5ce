function (newDoc, oldDoc, userCtx) {
  if (userCtx.roles.indexOf('_admin') === -1 && newDoc.share === 'dealer') {
    throw ({forbidden: 'This document is shared within the dealership only and has no place at the manufacturer.'});
  }
}
