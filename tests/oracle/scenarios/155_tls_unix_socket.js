'use strict';
// TLS over a unix domain socket
const {
  fs,
  path,
  pem,
  rec,
  scenario,
  tls,
  tmp,
  watch,
  watch_server,
} = require('./tls_recorder');
scenario(__filename, 'UNIX-7 TLSHS-1 TLSHS-2 UNIX-2');

const p = path.join(tmp(), 't.sock');
const srv = watch_server(
  'server',
  tls.createServer(
    { key: pem('server-key.pem'), cert: pem('server-cert.pem') },
    (s) => {
      rec('server', 'secureConnection');
      s.end('over unix');
      s.on('close', () => srv.close());
    },
  ),
);
srv.on('close', () => rec('server', 'file-exists', fs.existsSync(p)));
srv.listen(p, () => {
  const c = watch('client', tls.connect({ path: p, ca: pem('ca-cert.pem') }));
  c.on('secureConnect', () =>
    rec('client', 'secureConnect', c.authorized, c.encrypted),
  );
});
