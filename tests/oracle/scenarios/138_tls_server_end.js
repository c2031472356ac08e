'use strict';
// server ends first: client sees end, answers automatically, both close cleanly
const {
  CA,
  LO,
  rec,
  scenario,
  server_options,
  tls,
  watch,
  watch_tls,
} = require('./tls_recorder');
scenario(__filename, 'TLSEND-1 TLSEND-2 END-9 HALF-1');

const srv = tls.createServer(server_options(), (s) => {
  watch('server_socket', s, { connect: false });
  s.write('one ');
  s.end('two', () => rec('server_socket', 'end-callback'));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () =>
  watch_tls(
    'client',
    tls.connect({ port: srv.address().port, host: LO, ca: CA }),
  ),
);
