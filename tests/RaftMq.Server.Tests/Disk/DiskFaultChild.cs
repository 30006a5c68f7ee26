using System.Text;
using RaftMq.Broker.Environment;
using RaftMq.Server.Disk;
using RaftMq.Server.Hosting;
using RaftMq.Server.Sections;
using RaftMq.Server.Telemetry;
using RaftMq.Storage.Files;

namespace RaftMq.Server.Tests.Disk;

/// <summary>
/// A process that does what a journal does on the real disk, lanes and section: append, sync, then say so. One "acked N" line per
/// completed sync; ends with code 0 after the last.
/// </summary>
internal static class DiskFaultChild
{
    public const string Command = "disk-fault-child";

    /// <summary>Arguments: the command, the folder, the number of appends.</summary>
    public static int Run(string[] args)
    {
        var metrics = new DiskMetrics(new MetricRegistry());
        var disk = new RealDisk(args[1], metrics);
        using var lanes = new DiskLanes(disk, new DiskOptions(), metrics, ProcessEnd.Fatal);
        using var done = new ManualResetEventSlim();
        var owner = new Owner();
        var section = new ExclusiveSection("child", owner, ProcessEnd.Fatal);
        IDiskFile file = disk.Open("journal-0", DiskFileMode.CreateNew);
        owner.Queue = new DiskQueue(section, lanes);
        owner.Next = new Append(file, int.Parse(args[2]), owner, done);
        section.Post(new Begin());
        done.Wait();
        return 0;
    }

    private sealed class Begin : SectionWork
    {
        public override void Run()
        {
        }
    }

    private sealed class Owner : ISectionOwner
    {
        public DiskQueue Queue { get; set; } = null!;

        public DiskWork? Next { get; set; }

        public void EndTurn()
        {
            if (Next is { } next)
            {
                Next = null;
                Queue.Submit(DiskLane.Journal, next);
            }
        }
    }

    private sealed class Append(IDiskFile file, int appends, Owner owner, ManualResetEventSlim done) : DiskWork
    {
        private int _number;

        public override void Execute(IDisk disk)
        {
            file.Write(_number * 4096L, [Encoding.ASCII.GetBytes($"entry {_number}"), new byte[100]]);
            file.Sync();
        }

        public override void Complete()
        {
            Console.Out.WriteLine($"acked {_number}");
            Console.Out.Flush();
            if (++_number < appends)
            {
                owner.Next = this;
            }
            else
            {
                done.Set();
            }
        }
    }
}
