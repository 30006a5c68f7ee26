namespace RaftMq.Raft;

/// <summary>Answers that are given often and are always the same.</summary>
internal static class Refusals
{
    public static readonly ProposeResult HandingOver = new ProposeResult.Busy("leadership is being handed over");

    public static readonly ProposeResult UncommittedFull = new ProposeResult.Busy("too many uncommitted bytes");
}
