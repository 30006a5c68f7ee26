using RaftMq.Storage.Files;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Brings a mended group up to what is known to be committed while the node runs: as at a start, but piece by piece, the disk's part on the disk's
/// lane. Until the end nobody else knows of the replica.
/// </summary>
internal sealed class Restoring
{
    private const int PieceBytes = 1 << 20;

    private readonly Replica _replica;
    private readonly GroupLogEnvironment _environment;
    private readonly Action<Restoring, string?> _done;
    private readonly IEnumerator<ReadOnlyMemory<byte>> _entries;
    private bool _isAbandoned;

    /// <param name="done">Without a text: it is there; else what was found damaged after all.</param>
    public Restoring(Replica replica, RecoveredGroup.Healthy found, GroupLogEnvironment environment, Action<Restoring, string?> done)
    {
        (_replica, Found, _environment, _done) = (replica, found, environment, done);
        _entries = found.Replay.GetEnumerator();
        replica.BeginRestore(found.Checkpoint);
        Next();
    }

    public Replica Replica => _replica;

    public RecoveredGroup.Healthy Found { get; }

    public void Abandon() => _isAbandoned = true;

    private void Next() => _environment.Disk.Submit(DiskLane.Background, new Piece(this));

    private void Came(List<ReadOnlyMemory<byte>> entries, bool isEnd, string? damage)
    {
        if (_isAbandoned)
        {
            _entries.Dispose();
            return;
        }

        foreach (ReadOnlyMemory<byte> entry in entries)
        {
            _replica.Restore(entry);
        }

        if (!isEnd)
        {
            Next();
            return;
        }

        _entries.Dispose();
        if (damage is null)
        {
            _replica.EndRestore();
        }

        _done(this, damage);
    }

    private sealed class Piece(Restoring restoring) : DiskWork
    {
        private readonly List<ReadOnlyMemory<byte>> _entries = [];
        private bool _isEnd;
        private string? _damage;

        public override void Execute(IDisk disk)
        {
            try
            {
                for (int bytes = 0; bytes < PieceBytes;)
                {
                    if (!restoring._entries.MoveNext())
                    {
                        _isEnd = true;
                        return;
                    }

                    byte[] entry = restoring._entries.Current.ToArray();
                    bytes += entry.Length;
                    _entries.Add(entry);
                }
            }
            catch (DamagedException damage)
            {
                _isEnd = true;
                _damage = damage.Message;
            }
        }

        public override void Complete() => restoring.Came(_entries, _isEnd, _damage);
    }
}
