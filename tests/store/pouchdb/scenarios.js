// PouchDB as an independent client of the store. Reads {auth, databases: {scenario: url}} from standard input, runs each
// scenario against its database and prints {scenario: what it saw}, or {failed} where it could not.
'use strict';

const PouchDB = require('pouchdb');
PouchDB.plugin(require('pouchdb-adapter-memory'));
PouchDB.plugin(require('pouchdb-find'));

let made = 0;
const local = () => new PouchDB(`local-${++made}`, { adapter: 'memory' });

async function leaves(db) {
  const changes = await db.changes({ style: 'all_docs' });
  const found = {};
  for (const row of changes.results) found[row.id] = row.changes.map((change) => change.rev).sort();
  return found;
}

// Waits until both have the same leaves, and that many documents.
async function same(one, other, count) {
  for (;;) {
    const [here, there] = await Promise.all([leaves(one), leaves(other)]);
    if (Object.keys(here).length === count && JSON.stringify(sorted(here)) === JSON.stringify(sorted(there))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const sorted = (found) => Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1));

function conflicting(id) {
  return [
    { _id: id, _rev: '2-b', _revisions: { start: 2, ids: ['b', 'a'] }, v: 'b' },
    { _id: id, _rev: '2-c', _revisions: { start: 2, ids: ['c', 'a'] }, v: 'c' },
    { _id: id, _rev: '3-e', _revisions: { start: 3, ids: ['e', 'd', 'a'] }, _deleted: true },
  ];
}

const photo = Buffer.from(Array.from({ length: 100000 }, (_, n) => (n * n) % 251));

const scenarios = {
  async pushes(remote) {
    const db = local();
    await db.bulkDocs(conflicting('conflict'), { new_edits: false });
    await db.put({ _id: 'a/ü b', v: 1, _attachments: { 'photo 1.bin': { content_type: 'image/x-raw', data: photo } } });
    const gone = await db.put({ _id: 'gone' });
    await db.remove('gone', gone.rev);
    const told = await db.replicate.to(remote);
    const again = await db.replicate.to(remote);
    const read = await remote.getAttachment('a/ü b', 'photo 1.bin');
    return { told, again, here: await leaves(db), there: await leaves(remote), same: photo.equals(read) };
  },

  async pulls(remote) {
    await remote.bulkDocs(conflicting('conflict'), { new_edits: false });
    await remote.put({ _id: 'a/ü b', _attachments: { 'photo 1.bin': { content_type: 'image/x-raw', data: photo } } });
    await remote.put({ _id: 'tombstone', _deleted: true, deleted_by: 'ann' });
    const db = local();
    const told = await db.replicate.from(remote);
    const read = await db.getAttachment('a/ü b', 'photo 1.bin');
    const winner = await db.get('conflict', { conflicts: true });
    return { told, winner, here: await leaves(db), there: await leaves(remote), same: photo.equals(read) };
  },

  async meets(remote) {
    const db = local();
    const first = await db.put({ _id: 'a', v: 0 });
    await db.sync(remote);
    await db.put({ _id: 'a', _rev: first.rev, v: 'here' });
    await remote.put({ _id: 'a', _rev: first.rev, v: 'there' });
    await db.sync(remote);
    const here = await db.get('a', { conflicts: true });
    const there = await remote.get('a', { conflicts: true });
    await db.remove('a', here._conflicts[0]);
    await db.sync(remote);
    return { here, there, resolved: await remote.get('a', { conflicts: true }), leaves: await leaves(remote) };
  },

  async lives(remote) {
    const db = local();
    const arrives = (place, id) =>
      new Promise((resolve, reject) => {
        const feed = place.changes({ live: true, since: 0, doc_ids: [id] });
        feed.on('change', () => resolve(feed.cancel())).on('error', reject);
      });
    const sync = db.sync(remote, { live: true });
    const [there, here] = [arrives(remote, 'from-here'), arrives(db, 'from-there')];
    await db.put({ _id: 'from-here' });
    await remote.put({ _id: 'from-there' });
    await Promise.all([there, here]);
    const ended = new Promise((resolve) => sync.on('complete', resolve));
    sync.cancel();
    await ended;
    return { here: Object.keys(await leaves(db)).sort(), there: Object.keys(await leaves(remote)).sort() };
  },

  // Both sides write while the sync runs: new documents, edits, deletions, attachments, and an edit of one document on each.
  async trades(remote) {
    const db = local();
    const shared = await db.put({ _id: 'shared', v: 0 });
    const kept = { gone: await db.put({ _id: 'gone' }), lost: await db.put({ _id: 'lost' }) };
    await db.sync(remote);
    await db.put({ _id: 'shared', _rev: shared.rev, v: 'here' });
    await remote.put({ _id: 'shared', _rev: shared.rev, v: 'there' });
    const sync = db.sync(remote, { live: true });
    await Promise.all([
      db.remove('gone', kept.gone.rev),
      remote.put({ _id: 'lost', _rev: kept.lost.rev, _deleted: true, deleted_by: 'ann' }),
      db.put({ _id: 'p-here', _attachments: { 'a b.bin': { content_type: 'image/x-raw', data: photo } } }),
      remote.put({ _id: 'p-there', _attachments: { 'ü/c.txt': { content_type: 'text/plain', data: photo } } }),
      remote.bulkDocs(Array.from({ length: 50 }, (_, n) => ({ _id: `r${n}`, n }))),
      db.bulkDocs(Array.from({ length: 50 }, (_, n) => ({ _id: `h${n}`, n }))),
    ]);
    await same(db, remote, 105);
    const edited = await db.get('p-there');
    await db.put({ ...edited, v: 'the photo stays' });
    await same(db, remote, 105);
    const ended = new Promise((resolve) => sync.on('complete', resolve));
    sync.cancel();
    await ended;
    return {
      here: await leaves(db),
      there: await leaves(remote),
      conflicts: (await remote.get('shared', { conflicts: true }))._conflicts.length,
      whole: [
        photo.equals(await remote.getAttachment('p-here', 'a b.bin')),
        photo.equals(await db.getAttachment('p-there', 'ü/c.txt')),
        photo.equals(await remote.getAttachment('p-there', 'ü/c.txt')),
      ],
      why: (await db.get('lost', { rev: (await leaves(db)).lost[0] })).deleted_by,
      text: (await remote.get('p-there')).v,
    };
  },

  // A replication that is broken off goes on where it was: what arrived is not read again.
  async resumes(remote) {
    const db = local();
    await remote.bulkDocs(Array.from({ length: 600 }, (_, n) => ({ _id: `d${n}`, n })));
    const first = db.replicate.from(remote, { batch_size: 100, batches_limit: 1 });
    const broken = await new Promise((resolve) => {
      let seen = 0;
      first.on('change', (info) => {
        seen += 1;
        if (seen === 2) first.cancel();
        return info;
      });
      first.on('complete', resolve);
    });
    const rest = await db.replicate.from(remote, { batch_size: 100 });
    const back = await db.replicate.to(remote);
    return { broken, rest, back, documents: (await db.info()).doc_count };
  },

  async tells(remote) {
    const db = local();
    await remote.bulkDocs(conflicting('conflict'), { new_edits: false });
    const made = await remote.put({ _id: 'a', _attachments: { f: { content_type: 'a/b', data: photo } } });
    await remote.put({ _id: 'a', _rev: made.rev, v: 2, _attachments: { f: { stub: true } } });
    const { results } = await remote.bulkGet({
      docs: [{ id: 'a', rev: made.rev }, { id: 'conflict', rev: '2-b' }, { id: 'none', rev: '1-a' }],
      revs: true,
      latest: true,
      attachments: true,
    });
    const open = await remote.get('conflict', { open_revs: 'all', revs: true });
    const missing = await remote.revsDiff({ a: [made.rev, '1-x'], conflict: ['3-e', '9-z'] });
    await db.put({ _id: '_local/mark', v: 1 });
    await remote.put({ _id: '_local/mark', v: 1 });
    await remote.compact();
    const feed = await remote.changes({ since: 0, include_docs: true, attachments: true, conflicts: true });
    return {
      bulk: results.map(({ docs: [{ ok, error }] }) => (ok ? [ok._rev.split('-')[0], ok._revisions.start] : error.error)),
      whole: photo.toString('base64') === results[0].docs[0].ok._attachments.f.data,
      open: open.map((one) => one.ok._rev).sort(),
      missing: [Object.keys(missing).sort(), missing.conflict.missing],
      local: (await remote.get('_local/mark')).v,
      feed: feed.results.map((row) => [row.id, (row.doc._conflicts || []).length]).sort(),
    };
  },

  async chooses(remote) {
    const filter = 'function (doc, req) { return doc.n >= req.query.least; }';
    const map = 'function (doc) { if (doc.n % 2) { emit(doc.n); } }';
    await remote.bulkDocs([
      { _id: '_design/f', filters: { big: filter }, views: { odd: { map } } },
      ...[1, 2, 3, 4].map((n) => ({ _id: `d${n}`, n, share: n % 2 ? 'm' : 'd' })),
    ]);
    const seen = async (options) => {
      const db = local();
      await db.replicate.from(remote, options);
      return (await db.allDocs()).rows.map((row) => row.id);
    };
    const sent = async (options) => {
      const db = local();
      await db.bulkDocs([5, 6, 7, 8].map((n) => ({ _id: `p${n}`, n, share: n % 2 ? 'm' : 'd' })));
      return (await db.replicate.to(remote, options)).docs_written;
    };
    const followed = async (options) => {
      const db = local();
      const feed = db.replicate.from(remote, { live: true, ...options });
      const arrived = new Promise((resolve) => feed.on('change', (info) => resolve(info.docs.map((doc) => doc._id))));
      const ids = await arrived;
      feed.cancel();
      return ids.sort();
    };
    return {
      live: await followed({ selector: { share: 'm', n: { $lt: 4 } } }),
      view: await seen({ filter: '_view', view: 'f/odd' }),
      filter: await seen({ filter: 'f/big', query_params: { least: 3 } }),
      selector: await seen({ selector: { share: 'm' } }),
      ids: await seen({ doc_ids: ['d2', 'none'] }),
      pushed: [
        await sent({ filter: (doc, req) => doc.n >= req.query.least, query_params: { least: 7 } }),
        await sent({ selector: { share: 'd', n: 6 } }),
        await sent({ doc_ids: ['p5'] }),
      ],
    };
  },

  async many(remote) {
    const db = local();
    const docs = Array.from({ length: 10000 }, (_, n) => ({ _id: `d${n}`, n, text: 'x'.repeat(100) }));
    await db.bulkDocs(docs);
    const options = { batch_size: 1000 };
    const pushed = await db.replicate.to(remote, options);
    const other = local();
    const pulled = await other.replicate.from(remote, options);
    return { pushed, pulled, documents: (await remote.info()).doc_count, there: (await other.info()).doc_count };
  },

  async asks(remote) {
    await remote.bulkDocs([1, 2, 3, 4].map((n) => ({ _id: `d${n}`, n, kind: n % 2 ? 'odd' : 'even' })));
    await remote.createIndex({ index: { fields: ['n'] } });
    const map = 'function (doc) { emit(doc.kind, doc.n); }';
    await remote.put({ _id: '_design/v', views: { kinds: { map, reduce: '_sum' } } });
    const found = await remote.find({ selector: { n: { $gt: 2 } }, sort: ['n'] });
    const groups = await remote.query('v/kinds', { group: true });
    const rows = await remote.query('v/kinds', { reduce: false, key: 'odd', include_docs: true });
    return { found: found.docs.map((d) => d._id), groups: groups.rows, rows: rows.rows.map((row) => row.doc.n) };
  },
};

async function main() {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  const { auth, databases } = JSON.parse(text);
  const saw = {};
  // A background replication that fails has nobody to tell: its scenario is the one that runs.
  let stray = null;
  process.on('unhandledRejection', (error) => {
    stray = error;
  });
  for (const [name, url] of Object.entries(databases)) {
    const started = Date.now();
    try {
      const over = new Promise((_, reject) => setTimeout(reject, 20000, new Error('it did not end')).unref());
      saw[name] = await Promise.race([scenarios[name](new PouchDB(url, { auth, skip_setup: true })), over]);
      if (stray) throw stray;
    } catch (error) {
      saw[name] = { failed: String(error.stack || error), details: JSON.stringify(error) };
    }
    stray = null;
    saw[name].seconds = (Date.now() - started) / 1000;
  }
  process.stdout.write(JSON.stringify(saw), () => process.exit(0));
}

main();
