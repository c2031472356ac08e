'use strict';
// a child process listens on an inherited, already bound descriptor
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'LISTEN-13 LISTEN-4');

const { spawn } = require('child_process');
if (process.argv[2] === 'child') {
  process.removeAllListeners('exit');
  const s = net.createServer((k) => {
    k.end('from fd server');
    s.close();
  });
  s.listen({ fd: 3 }, () =>
    process.stdout.write('port ' + s.address().port + '\n'),
  );
  process.stdout.write(JSON.stringify(s.listening) + '\n');
} else {
  const srv = net.createServer();
  srv.listen(0, LO, () => {
    const port = srv.address().port;
    const kid = spawn(process.execPath, [__filename, 'child'], {
      stdio: ['ignore', 'pipe', 'inherit', srv._handle.fd],
    });
    srv.close();
    let out = '',
      started = false;
    kid.stdout.on('data', (d) => {
      out += d;
      if (!started && out.includes('port ')) {
        started = true;
        rec('child', 'same-port', out.includes('port ' + port));
        watch('client', net.connect(port, LO));
      }
    });
    kid.on('exit', (code) => rec('child', 'exit', code));
  });
}
