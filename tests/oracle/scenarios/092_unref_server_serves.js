'use strict';
// an unref'd server keeps accepting while something else holds the loop
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'REF-4 REF-7 SCLOSE-3');

const srv = net.createServer((s) => {
  rec('server', 'connection');
  s.end('served');
});
srv.on('close', () => rec('server', 'UNEXPECTED close'));
srv.listen(0, LO, () => {
  srv.unref();
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('close', () => {
    const d = watch('client2', net.connect(srv.address().port, LO));
  });
});
process.prependListener('exit', () => rec('process', 'exit', srv.listening));
