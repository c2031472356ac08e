'use strict';
// connecting to a closed port
const { LO, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-6 CONN-7 CLOSE-3 ERR-4 EVT-6');

const srv = net.createServer();
srv.listen(0, LO, () => {
  const port = srv.address().port;
  srv.close(() => {
    const c = watch('client', net.connect(port, LO));
    mark('client', 'connect() returned');
    c.on('error', (e) =>
      rec(
        'client',
        'error-fields',
        e.syscall,
        e.address,
        e.port === port,
        c.connecting,
        c.destroyed,
      ),
    );
  });
});
