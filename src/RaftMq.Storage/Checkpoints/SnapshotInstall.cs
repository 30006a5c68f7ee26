using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Is told, inside the section, how an install went on.</summary>
public interface ISnapshotInstallOwner
{
    /// <summary>A piece is with the disk: the next may come.</summary>
    void ChunkTaken(long nextPosition);

    /// <summary>
    /// The log begins anew behind the checkpoint, durably. The state machine takes <paramref name="checkpoint"/>'s state, then consensus is
    /// told (<see cref="RaftGroup.SnapshotInstalled"/>).
    /// </summary>
    void Installed(Checkpoint checkpoint);

    /// <summary>The bytes are not the checkpoint that was announced, or there is no room. The old log is untouched.</summary>
    void InstallFailed(string reason);
}

/// <summary>
/// Receives a base checkpoint. Its life, each step durable before the next (R-09, R-10, P-13):
/// 1. pieces go to a temporary file;
/// 2. the whole is read back and its hash and head are checked, the file is synced and named an install;
/// 3. the journal records the reset: from here on the old log is void;
/// 4. the log begins anew: the install becomes its base, the files of the old one are deleted.
/// A crash before 3 leaves the old log, after it the new one.
/// </summary>
public sealed class SnapshotInstall : IJournalWaiter
{
    private readonly GroupLog _log;
    private readonly GroupLogEnvironment _environment;
    private readonly ISnapshotInstallOwner _owner;
    private readonly string _temporary;
    private Checkpoint? _checkpoint;
    private bool _ended;

    internal SnapshotInstall(
        GroupLog log, GroupLogEnvironment environment, LogIndex index, Term term, ISnapshotInstallOwner owner)
    {
        Invariant.Holds(index > log.Committed);
        _log = log;
        _environment = environment;
        _owner = owner;
        Index = index;
        Term = term;
        _temporary = $"{log.Folder}/install{CheckpointFile.TemporarySuffix}";
    }

    public LogIndex Index { get; }

    public Term Term { get; }

    /// <summary>The next byte that is wanted.</summary>
    public long NextPosition { get; private set; }

    /// <summary>
    /// Takes the piece at <see cref="NextPosition"/>; a piece at another position is a repeat or came too early and is ignored. The
    /// memory must stay as it is until <see cref="ISnapshotInstallOwner.ChunkTaken"/>.
    /// </summary>
    public void Append(long position, ReadOnlyMemory<byte> bytes)
    {
        if (_ended || position != NextPosition)
        {
            return;
        }

        if (position + bytes.Length > CheckpointCodec.CheckpointBytesMax)
        {
            Fail($"the checkpoint is longer than {CheckpointCodec.CheckpointBytesMax} bytes");
            return;
        }

        NextPosition += bytes.Length;
        _environment.Disk.Submit(DiskLane.Background, new ChunkWrite(this, position, bytes));
    }

    /// <summary>All pieces were given. Checks the whole and installs it.</summary>
    public void Finish()
    {
        if (!_ended)
        {
            _environment.Disk.Submit(DiskLane.Background, new Verification(this));
        }
    }

    /// <summary>Ends it before <see cref="Finish"/>: the leader changed, or the transfer broke off. Nobody is told.</summary>
    public void Abandon() => _ended = true;

    void IJournalWaiter.Written(JournalRecord record)
    {
        Probe.Reached(RareBranch.SnapshotInstalled);
        _log.BeginAnew(_checkpoint!.Head);
        _owner.Installed(_checkpoint);
    }

    private void Fail(string reason)
    {
        if (!_ended)
        {
            Probe.Reached(RareBranch.SnapshotRefused);
            _ended = true;
            _owner.InstallFailed(reason);
        }
    }

    private void Verified(Checkpoint? checkpoint)
    {
        if (_ended)
        {
            return;
        }

        if (checkpoint is null)
        {
            Fail("the bytes received are not the checkpoint that was announced");
            return;
        }

        if (Index <= _log.Committed)
        {
            Fail("the log passed the checkpoint meanwhile");
            return;
        }

        _ended = true;
        _checkpoint = checkpoint;
        _log.ResetIsUnderWay();
        _environment.Journal.Append(new JournalRecord
        {
            Group = _log.Group,
            Reset = (Index, Term),
            Waiter = this,
        });
        _environment.Journal.Flush();
    }

    private sealed class ChunkWrite(SnapshotInstall install, long position, ReadOnlyMemory<byte> bytes) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
            if (position == 0 && disk.FileExists(install._temporary))
            {
                disk.DeleteFile(install._temporary);
            }

            using IDiskFile file = disk.Open(
                install._temporary, position == 0 ? DiskFileMode.CreateNew : DiskFileMode.Existing);
            file.Write(position, bytes.Span);
        }

        public override void Complete()
        {
            if (!install._ended)
            {
                install._owner.ChunkTaken(position + bytes.Length);
            }
        }

        public override void Full(DiskFullException fault) => install.Fail("there is no room for the checkpoint");
    }

    private sealed class Verification(SnapshotInstall install) : DiskWork
    {
        private Checkpoint? _whole;

        public override void Execute(IDisk disk)
        {
            if (!disk.FileExists(install._temporary))
            {
                return;
            }

            Checkpoint? read = CheckpointFile.TryRead(disk, install._temporary, install._log.Group);
            if (read is null || read.Head.LastIndex != install.Index || read.Head.LastTerm != install.Term)
            {
                return;
            }

            using (IDiskFile file = disk.Open(install._temporary, DiskFileMode.Existing))
            {
                if (!PlantedBug.SnapshotInstalledBeforeDurable)
                {
                    file.Sync();
                }
            }

            disk.Rename(install._temporary, CheckpointFile.InstallPath(install._log.Folder, install.Index));
            if (!PlantedBug.SnapshotInstalledBeforeDurable)
            {
                disk.SyncFolder(install._log.Folder);
            }

            _whole = read;
        }

        public override void Complete() => install.Verified(_whole);

        public override void Full(DiskFullException fault) => install.Fail("there is no room for its name");
    }
}
