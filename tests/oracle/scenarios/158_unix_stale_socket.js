'use strict';
// socket file left behind by a killed process: connect refused, listen
// EADDRINUSE, works after unlink
const { fs, net, path, rec, scenario, tmp, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'UNIX-3 CONN-8 LISTEN-8 UNIX-2');

const { spawnSync } = require('child_process');
const p = path.join(tmp(), 'stale.sock');
spawnSync(process.execPath, [
  '-e',
  `require('net').createServer().listen(${JSON.stringify(p)}, () => process.kill(process.pid, 'SIGKILL'))`,
]);
rec('file', 'exists', fs.existsSync(p));
watch('client', net.connect(p)).on('close', () => {
  const srv = watch_server('server', net.createServer());
  srv.once('error', () => {
    rec('file', 'exists', fs.existsSync(p));
    fs.unlinkSync(p);
    srv.listen(p, () =>
      srv.close(() => rec('file', 'exists', fs.existsSync(p))),
    );
  });
  srv.listen(p);
});
