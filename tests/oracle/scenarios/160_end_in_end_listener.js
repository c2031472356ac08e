'use strict';
// default socket: end(data) inside the 'end' listener delivers the data
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-10 HALF-1 END-1 END-4');

const srv = net.createServer((s) => {
  let got = '';
  s.setEncoding('utf8');
  s.on('data', (d) => {
    got += d;
  });
  s.on('end', () => {
    s.end('you said ' + got, () => rec('server_socket', 'end-callback'));
    rec('server_socket', 'end', s.writable);
  });
  s.on('close', (h) => {
    rec('server_socket', 'close', h);
    srv.close();
  });
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.write('hel');
  c.end('lo');
});
