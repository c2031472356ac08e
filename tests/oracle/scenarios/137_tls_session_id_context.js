'use strict';
// tickets shared between two servers are honoured only with the same sessionIdContext
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSSESS-7 TLSSESS-3');

const keys = Buffer.alloc(48, 7);
const mkSrv = (sic) =>
  tls.createServer(
    server_options({
      maxVersion: 'TLSv1.2',
      ticketKeys: keys,
      sessionIdContext: sic,
    }),
    (s) => s.end(),
  );
const one = mkSrv('ctx-a'),
  same = mkSrv('ctx-a'),
  other = mkSrv('ctx-b');
const go = (actor, srv, session, next) => {
  const c = tls.connect({
    port: srv.address().port,
    host: LO,
    ca: CA,
    session,
  });
  c.resume();
  let sess;
  c.on('secureConnect', () => {
    sess = c.getSession();
    rec(actor, 'reused', c.isSessionReused());
  });
  c.on('error', (e) => rec(actor, 'error', e.code));
  c.on('close', () => next(sess));
};
one.listen(0, LO, () =>
  same.listen(0, LO, () =>
    other.listen(0, LO, () =>
      go('first', one, undefined, (s) =>
        go('same_context', same, s, () =>
          go('other_context', other, s, () => {
            one.close();
            same.close();
            other.close();
          }),
        ),
      ),
    ),
  ),
);
