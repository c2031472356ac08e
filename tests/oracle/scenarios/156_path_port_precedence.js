'use strict';
// both path and port given: connect() uses the path, listen() uses the port
const { LO, fs, net, path, rec, scenario, tmp, watch } = require('./recorder');
scenario(__filename, 'CONN-20 LISTEN-20 UNIX-1');

const p = path.join(tmp(), 'both.sock');
const tcp = net.createServer((s) => s.end('tcp server')),
  uds = net.createServer((s) => s.end('unix server'));
tcp.listen({ port: 0, host: LO, path: path.join(tmp(), 'unused.sock') }, () => {
  rec(
    'server',
    'address',
    typeof tcp.address(),
    fs.existsSync(path.join(tmp(), 'unused.sock')),
  );
  uds.listen({ path: p }, () => {
    rec('server', 'address', typeof uds.address());
    watch(
      'client',
      net.connect({ path: p, port: tcp.address().port, host: LO }),
    ).on('close', () => {
      tcp.close();
      uds.close();
    });
  });
});
