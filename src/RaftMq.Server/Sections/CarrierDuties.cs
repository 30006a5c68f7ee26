namespace RaftMq.Server.Sections;

/// <summary>
/// A thread that carries a section's work may have duties of its own that wait meanwhile: the journal's thread brings a completion
/// in, the section answers with the next batch for the very same thread, and others keep bringing work. Before a thread stays for
/// another round it is asked to see to that (wake a deputy).
/// </summary>
internal static class CarrierDuties
{
    [ThreadStatic]
    private static ICarrierDuty? t_duty;

    /// <summary>True on a thread with a duty: it is looked after by that, for as long as it stays.</summary>
    public static bool HasOne => t_duty is not null;

    public static void TakeUp(ICarrierDuty duty) => t_duty = duty;

    public static bool IsMine(ICarrierDuty duty) => ReferenceEquals(t_duty, duty);

    public static void BeforeStaying() => t_duty?.CarrierStays();
}

internal interface ICarrierDuty
{
    /// <summary>On the thread with the duty, inside a section that it will go on carrying.</summary>
    void CarrierStays();
}
