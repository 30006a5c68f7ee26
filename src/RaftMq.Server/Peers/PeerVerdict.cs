namespace RaftMq.Server.Peers;

/// <summary>What the preamble of the answering side says to the dialling one.</summary>
internal enum PeerVerdict : ushort
{
    Taken = 0,

    /// <summary>Another process is connected as the same node, and was heard a moment ago: it stays.</summary>
    OtherProcess = 1,
}
