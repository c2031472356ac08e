'use strict';
// unref() before listen() is remembered
const { mark, net, path, rec, scenario, tmp, watch_server } =
  require('./recorder');
scenario(__filename, 'REF-6 REF-5 REF-3');

const srv = watch_server('server', net.createServer());
srv.unref();
srv.listen(path.join(tmp(), 's.sock'));
mark('server', 'listen() returned');
process.prependListener('exit', () => rec('process', 'exit', srv.listening));
