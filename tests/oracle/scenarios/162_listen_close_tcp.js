'use strict';
// TCP: close() directly after listen(); then the server is used normally
const { LO, later, mark, net, rec, scenario, watch, watch_server } =
  require('./recorder');
scenario(__filename, 'LISTEN-15 SCLOSE-2 LISTEN-10');

const srv = watch_server(
  'server',
  net.createServer((s) => s.end('ok')),
);
let n = 0;
srv.listen(0, () => rec('server', 'UNEXPECTED callback'));
srv.close();
mark('server', 'close() returned');
srv.removeAllListeners('listening');
srv.on('listening', () => rec('server', 'listening'));
srv.on('close', () => {
  if (!n++)
    later(50, () =>
      srv.listen(0, LO, () =>
        watch('client', net.connect(srv.address().port, LO)).on('close', () =>
          srv.close(),
        ),
      ),
    );
});
