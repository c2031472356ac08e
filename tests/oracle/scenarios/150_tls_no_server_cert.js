'use strict';
// a server without certificate accepts the options but cannot shake hands
const {
  CA,
  later,
  LO,
  scenario,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSCFG-4 TLSERR-2 TLSERR-1');

const srv = watch_tls_server('server', tls.createServer({}));
srv.listen(0, LO, () => {
  const c = watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  );
  c.on('close', () => later(50, () => srv.close()));
});
