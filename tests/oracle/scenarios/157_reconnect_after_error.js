'use strict';
// a socket that failed to connect may try again after its 'close'
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-14 CONN-7 CLOSE-1 CNT-5');

const srv = net.createServer((s) => {
  s.end('welcome');
});
srv.listen(0, LO, () => {
  const port = srv.address().port,
    gone = net.createServer();
  gone.listen(0, LO, () => {
    const dead = gone.address().port;
    gone.close(() => {
      const c = watch('client', net.connect(dead, LO));
      let n = 0;
      c.on('close', () => {
        if (!n++) {
          c.connect(port, LO);
          rec(
            'client',
            'mark',
            'connect() returned',
            c.connecting,
            c.destroyed,
          );
        } else {
          rec('client', 'bytesRead', c.bytesRead);
          srv.close();
        }
      });
    });
  });
});
