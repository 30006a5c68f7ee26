namespace RaftMq.Raft;

/// <summary>What differs between the roles. One object per stay in a role; <see cref="RaftGroup"/> exchanges them.</summary>
internal abstract class RoleState(RaftGroup group, GroupState state)
{
    public abstract Role Role { get; }

    /// <summary>A leader of this term is alive as far as this replica can tell: no vote for others (dissertation 4.2.3).</summary>
    public abstract bool HearsLeader { get; }

    /// <summary>There is something that <see cref="Flush"/> would send.</summary>
    public virtual bool WantsFlush => false;

    protected RaftGroup Group { get; } = group;

    protected GroupState State { get; } = state;

    public abstract void Tick();

    /// <summary>A message of the current term, or an answer to a pre-vote.</summary>
    public abstract void Step(ReplicaId from, RaftMessage message);

    /// <summary>The disk confirmed a write; durable index and hard state may have moved.</summary>
    public abstract void Persisted();

    /// <summary>The replica came back with a higher boot number.</summary>
    public abstract void Restarted(ReplicaId replica);

    /// <summary>Quiet ends. Timers start afresh, or a thousand groups would campaign at once .</summary>
    public abstract void Woken();

    /// <summary>Called before a ready is taken: what was gathered since goes out in as few messages as possible.</summary>
    public virtual void Flush()
    {
    }

    public virtual void CheckInvariants()
    {
    }
}
