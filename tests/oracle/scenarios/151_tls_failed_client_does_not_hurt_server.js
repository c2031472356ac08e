'use strict';
// after failed handshakes the server keeps serving
const {
  CA,
  later,
  LO,
  net,
  rec,
  scenario,
  server_options,
  tls,
  watch_tls,
  watch_tls_server,
} = require('./tls_recorder');
scenario(__filename, 'TLSERR-3 TLSERR-2 TLSHS-2');

const srv = watch_tls_server(
  'server',
  tls.createServer(server_options(), (s) => s.end('fine')),
);
srv.listen(0, LO, () => {
  const j = net.connect(srv.address().port, LO, () =>
    j.write('junk junk junk'),
  );
  j.resume();
  j.on('error', () => {});
  j.on('close', () => {
    const c = watch_tls(
      'client',
      tls.connect({ port: srv.address().port, host: LO, ca: CA }),
    );
    c.on('close', () =>
      later(80, () =>
        srv.getConnections((e, n) => {
          rec('server', 'count', n);
          srv.close();
        }),
      ),
    );
  });
});
