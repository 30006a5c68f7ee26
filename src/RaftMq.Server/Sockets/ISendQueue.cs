namespace RaftMq.Server.Sockets;

/// <summary>What waits to be sent on a connection; see <see cref="SendLoop"/>. Called by the sender, of which there is one at a time.</summary>
internal interface ISendQueue
{
    /// <summary>What was gathered would hold up the thread that brought it: it goes to the task from the start.</summary>
    bool IsForTask { get; }

    /// <summary>Frees what was sent and gathers what is next. False when nothing waits: the caller is not the sender any more.</summary>
    bool GatherNext();

    /// <summary>The connection broke: what was gathered is lost, and the caller is not the sender any more.</summary>
    void GiveUp();
}
