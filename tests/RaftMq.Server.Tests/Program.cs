using RaftMq.Server.Tests.Disk;
using Xunit.Runner.InProc.SystemConsole;

return args is [DiskFaultChild.Command, ..] ? DiskFaultChild.Run(args) : await ConsoleRunner.Run(args);
