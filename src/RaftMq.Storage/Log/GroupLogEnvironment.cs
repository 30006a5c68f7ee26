using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Log;

/// <summary>What a group's log works with; all of it belongs to the shard's section.</summary>
public sealed record GroupLogEnvironment(IDiskQueue Disk, IJournal Journal, TailPool Tail);

/// <summary>Is told, inside the section, what the log did by itself.</summary>
public interface IGroupLogOwner
{
    /// <summary>Entries up to here are gone from the log (retention): tell consensus (<see cref="RaftGroup.LogCut"/>).</summary>
    void LogCut(LogIndex baseIndex);

    /// <summary>A read found bytes that are not what was written (promise DETECTED): what and where, as the end of a sentence. May come again for the same place.</summary>
    void LogDamaged(string report);

    /// <summary>The newest checkpoint is damaged. No other replica has it: write another one.</summary>
    void NewestDamaged()
    {
        // Who does not write any has none.
    }
}
