'use strict';
// echo over a unix socket; path address; file removed by close
const { fs, net, path, rec, scenario, tmp, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'UNIX-1 UNIX-2 UNIX-5 UNIX-7');

const p = path.join(tmp(), 'e.sock');
const srv = net.createServer((s) => {
  rec(
    'server_socket',
    'addr',
    [s.remoteAddress, s.remotePort, s.localAddress, s.localPort].map(
      (x) => x === undefined,
    ),
  );
  watch('server_socket', s, { connect: false });
  s.on('data', (d) => s.write(d));
});
watch_server('server', srv);
srv.listen(p, () => {
  rec('server', 'address', srv.address() === p, fs.statSync(p).isSocket());
  const c = watch('client', net.connect(p));
  c.on('connect', () => {
    rec(
      'client',
      'addr',
      c.remoteAddress === undefined,
      Object.keys(c.address()),
    );
    c.write('ping');
  });
  c.on('data', () => c.end());
  c.on('close', () => {
    rec('server', 'file-exists', fs.existsSync(p));
    srv.close();
  });
  srv.on('close', () => rec('server', 'file-exists', fs.existsSync(p)));
});
