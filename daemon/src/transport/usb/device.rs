//! One MBIM function of an opened device: claimed, asked for its parameters and put into its transfer setting; its
//! endpoints as the control channel and the data plane want them. The only file that knows the USB library.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use mbim_proto::class_request::{ClassRequest, Setup};
use mbim_proto::descriptor::{Function, NetworkCapabilities};
use mbim_proto::ntb::{Format, InputSize, Limits, Parameters};
use nusb::transfer::{Buffer, Bulk, ControlIn, ControlOut, ControlType, In, Interrupt, Out, Recipient, TransferError};
use nusb::{Device, Endpoint, ErrorKind, Interface, MaybeFuture as _};

use super::super::refusal::Refusal;
use super::MTU;
use super::control::{Fail, Wires};
use super::find::Place;
use crate::dataplane::flow::Agreed;
use crate::dataplane::stall::Way;
use crate::dataplane::{Ended, Pipes, Work};

/// Time for one class request.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most messages that are read on behalf of nobody.
const MOST_UNREAD: usize = 256;
/// Time for one of them; one that is there is there at once.
const UNREAD_PATIENCE: Duration = Duration::from_millis(300);
/// Largest block that is taken from the device, octets; the kernel's driver asks for the same.
const LARGEST_IN: u32 = 32 * 1024;
/// Largest block that is sent to the device, octets.
const LARGEST_OUT: u32 = 32 * 1024;
/// Longest packet that a block has room for where nothing else is agreed: the smallest `wMaxSegmentSize` of the
/// specification.
const LARGEST_PACKET: u16 = 2048;
/// Octets of the longest notification.
const NOTICE: usize = 16;

/// Both halves of an opened function.
pub(super) struct Opened {
    pub(super) wires: Claimed,
    pub(super) pipes: Bulks,
    pub(super) agreed: Agreed,
}

/// Opens `place` and takes `function` of it. `detach`: also from the kernel's driver. `wide`: NTB32 where it is offered.
pub(super) async fn open(place: &Place, function: &Function, detach: bool, wide: bool) -> Result<Opened, Refusal> {
    let info = nusb::list_devices().wait().map_err(failed)?.find(|info| info.sysfs_path() == place.folder);
    let info = info.ok_or_else(|| Refusal::NotThere(format!("{} is not there any more", place.name)))?;
    let device = info.open().await.map_err(failed)?;
    // The communication interface first: its driver holds the data interface too.
    let communication = claim(&device, place, function, function.communication, detach).await?;
    let data = claim(&device, place, function, function.data, detach).await?;
    let agreed = agree(&communication, &data, function, wide).await?;
    let wires = Claimed {
        endpoint: communication.endpoint(function.interrupt.address).map_err(failed)?,
        interface: communication,
        spare: None,
    };
    let size = usize::try_from(agreed.input.max_size).unwrap_or(usize::MAX);
    let mut pipes = Bulks {
        interface: Some(data),
        ends: None,
        function: *function,
        block: size.next_multiple_of(usize::from(function.bulk_in.max_packet)),
        spare: Vec::new(),
    };
    pipes.open().map_err(Refusal::from)?;
    Ok(Opened { wires, pipes, agreed })
}

/// An interface that was taken from the kernel's driver; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Detached {
    device: Device,
    interface: u8,
}

/// Takes a function from the kernel's driver: whoever has its nodes open loses them. What it has said and nobody has read is
/// read.
pub(super) fn detach(place: &Place, function: &Function) -> io::Result<Detached> {
    let interface = function.communication;
    let info = nusb::list_devices().wait()?.find(|info| info.sysfs_path() == place.folder);
    let device = info.ok_or(io::ErrorKind::NotFound)?.open().wait()?;
    device.detach_kernel_driver(interface)?;
    let detached = Detached { device, interface };
    match drain(&detached.device, function) {
        Ok(0) => {}
        Ok(count) => tracing::info!(device = place.name, count, "the modem had messages that nobody read"),
        // Which some forget all the same when the driver comes back.
        Err(error) => tracing::debug!(%error, "what the modem has said cannot be read"),
    }
    Ok(detached)
}

/// Puts the kernel's driver on an interface that has none.
pub(super) fn attach(place: &Place, interface: u8) -> io::Result<()> {
    let info = nusb::list_devices().wait()?.find(|info| info.sysfs_path() == place.folder);
    let device = info.ok_or(io::ErrorKind::NotFound)?.open().wait()?;
    Ok(device.attach_kernel_driver(interface)?)
}

/// Reads messages until there are none, or enough of them; gives their number.
fn drain(device: &Device, function: &Function) -> io::Result<usize> {
    let interface = device.claim_interface(function.communication).wait()?;
    let request = ClassRequest::GetEncapsulatedResponse(function.mbim.max_control_message);
    let setup = request.setup(function.communication);
    let more = |_: &usize| {
        let read = interface.control_in(incoming(setup), UNREAD_PATIENCE).wait();
        read.is_ok_and(|message| !message.is_empty())
    };
    Ok((0..MOST_UNREAD).take_while(more).count())
}

impl Drop for Detached {
    fn drop(&mut self) {
        if let Err(error) = self.device.attach_kernel_driver(self.interface) {
            tracing::error!(%error, "the kernel's driver does not take the modem back; plug it in again");
        }
    }
}

async fn claim(
    device: &Device,
    place: &Place,
    function: &Function,
    number: u8,
    detach: bool,
) -> Result<Interface, Refusal> {
    let result =
        if detach { device.detach_and_claim_interface(number).await } else { device.claim_interface(number).await };
    result.map_err(|error| match (error.kind(), place.driver(number)) {
        (ErrorKind::Busy, Some(driver)) if driver != "usbfs" => {
            let node = place.node(function.communication).map(|node| format!("use {node}, or ")).unwrap_or_default();
            let text = format!(
                "Interface {number} of {} belongs to the kernel's driver {driver}; {node}add ,detach (or MBIMD_USB_DETACH=1 \
                 in a rule of udev) to take it away for as long as it is used.",
                place.name
            );
            Refusal::taken("usb-held-by-driver", text)
        }
        (ErrorKind::Busy, _) => {
            let text = format!("Another program uses interface {number} of {}; end that first.", place.name);
            Refusal::taken("port-in-use", text)
        }
        _ => failed(error),
    })
}

/// Agrees on blocks while the data interface is idle, then begins the transfer setting. `[MBIM1.0 8, NCM1.0 7.2]`
async fn agree(
    communication: &Interface,
    data: &Interface,
    function: &Function,
    wide: bool,
) -> Result<Agreed, Refusal> {
    data.set_alt_setting(0).await.map_err(failed)?;
    if function.communication_alternate != 0 {
        communication.set_alt_setting(function.communication_alternate).await.map_err(failed)?;
    }
    let ask = Asker { interface: communication, number: function.communication };
    let parameters = match ask.parameters().await {
        Ok(parameters) => parameters,
        Err(gone @ Refusal::NotThere(_)) => return Err(gone),
        // A function that a former host left in disorder comes back to order so.
        Err(_) => {
            ask.set(ClassRequest::ResetFunction, &[]).await?;
            ask.parameters().await?
        }
    };
    let format = if wide && parameters.supports(Format::Ntb32) { Format::Ntb32 } else { Format::Ntb16 };
    // Said even where there is no choice: some wake up in the other format.
    let told = ask.set(ClassRequest::SetNtbFormat(format.code()), &[]).await;
    if parameters.supports(Format::Ntb32) {
        told?;
    }
    let capabilities = function.mbim.capabilities;
    let offered = parameters.input(format);
    let size = InputSize {
        max_size: offered.max_size.min(LARGEST_IN),
        max_datagrams: capabilities.contains(NetworkCapabilities::NTB_INPUT_SIZE_8).then_some(0),
    };
    let octets = size.encode();
    let octets = octets.get(..size.len()).unwrap_or_default();
    let length = u16::try_from(octets.len()).unwrap_or(0);
    // Said even where nothing changes: some need to hear it. Who refuses keeps to what it offered.
    let input = match ask.set(ClassRequest::SetNtbInputSize(length), octets).await {
        Ok(()) => Limits { max_size: size.max_size, ..offered },
        Err(gone @ Refusal::NotThere(_)) => return Err(gone),
        Err(_) => offered,
    };
    let mut segment = function.mbim.max_segment_size;
    if capabilities.contains(NetworkCapabilities::MAX_DATAGRAM_SIZE)
        && ask.set(ClassRequest::SetMaxDatagramSize, &segment.to_le_bytes()).await.is_err()
        && let Ok(kept) = ask.get(ClassRequest::GetMaxDatagramSize).await
        && let Some(kept) = kept.first_chunk()
    {
        segment = segment.min(u16::from_le_bytes(*kept));
    }
    data.set_alt_setting(function.data_alternate).await.map_err(failed)?;
    let output = parameters.output(format);
    let output = Limits { max_size: output.max_size.min(LARGEST_OUT), ..output };
    let wished = function.extended.map_or(MTU, |extended| extended.mtu).max(LARGEST_PACKET);
    let largest = if segment == 0 { wished } else { segment.min(wished) };
    Ok(Agreed { input, output, packet: function.bulk_out.max_packet, largest })
}

/// Class requests of the opening.
struct Asker<'a> {
    interface: &'a Interface,
    number: u8,
}

impl Asker<'_> {
    async fn parameters(&self) -> Result<Parameters, Refusal> {
        let octets = self.get(ClassRequest::get_ntb_parameters()).await?;
        Parameters::decode(&octets).map_err(|wrong| setup(&format!("gives NTB parameters that cannot be ({wrong})")))
    }

    async fn get(&self, request: ClassRequest) -> Result<Vec<u8>, Refusal> {
        let asked = self.interface.control_in(incoming(request.setup(self.number)), PATIENCE).await;
        asked.map_err(|error| refused(request, error))
    }

    async fn set(&self, request: ClassRequest, data: &[u8]) -> Result<(), Refusal> {
        let told = self.interface.control_out(outgoing(request.setup(self.number), data), PATIENCE).await;
        told.map_err(|error| refused(request, error))
    }
}

fn refused(request: ClassRequest, error: TransferError) -> Refusal {
    let name = request.name();
    match error {
        TransferError::Disconnected => Refusal::NotThere(format!("unplugged during {name}")),
        TransferError::Stall => setup(&format!("refuses {name}")),
        TransferError::Cancelled => setup(&format!("does not answer {name}")),
        error => setup(&format!("fails at {name} ({error})")),
    }
}

/// The device does not let itself be set up.
fn setup(what: &str) -> Refusal {
    Refusal::because("usb-setup-failed", format!("The modem {what}; it is tried again, or plug it in again."))
}

fn failed(error: nusb::Error) -> Refusal {
    match error.kind() {
        ErrorKind::Disconnected | ErrorKind::NotFound => Refusal::NotThere(error.to_string()),
        ErrorKind::Busy => io::Error::from(io::ErrorKind::ResourceBusy).into(),
        ErrorKind::PermissionDenied => io::Error::new(io::ErrorKind::PermissionDenied, error.to_string()).into(),
        _ => setup(&format!("cannot be used over USB ({error})")),
    }
}

fn incoming(setup: Setup) -> ControlIn {
    ControlIn {
        control_type: ControlType::Class,
        recipient: Recipient::Interface,
        request: setup.request,
        value: setup.value,
        index: setup.index,
        length: setup.length,
    }
}

fn outgoing(setup: Setup, data: &[u8]) -> ControlOut<'_> {
    ControlOut {
        control_type: ControlType::Class,
        recipient: Recipient::Interface,
        request: setup.request,
        value: setup.value,
        index: setup.index,
        data,
    }
}

/// The communication interface.
pub(super) struct Claimed {
    interface: Interface,
    endpoint: Endpoint<Interrupt, In>,
    spare: Option<Buffer>,
}

impl Wires for Claimed {
    fn command(&self, frame: &[u8]) -> Work<Result<(), Fail>> {
        let length = u16::try_from(frame.len()).unwrap_or(u16::MAX);
        let setup = ClassRequest::SendEncapsulatedCommand(length).setup(self.interface.interface_number());
        let told = self.interface.control_out(outgoing(setup, frame), PATIENCE).map_err(fail);
        Box::pin(told.into_future())
    }

    fn response(&self, most: u16) -> Work<Result<Vec<u8>, Fail>> {
        let setup = ClassRequest::GetEncapsulatedResponse(most).setup(self.interface.interface_number());
        Box::pin(self.interface.control_in(incoming(setup), PATIENCE).map_err(fail).into_future())
    }

    fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Result<Vec<u8>, Fail>> {
        if self.endpoint.pending() == 0 {
            let size = NOTICE.next_multiple_of(self.endpoint.max_packet_size().max(1));
            let buffer = self.spare.take().unwrap_or_else(|| Buffer::new(size));
            self.endpoint.submit(buffer);
        }
        self.endpoint.poll_next_complete(cx).map(|completion| {
            let result = completion.status.map_err(fail).map(|()| completion.buffer.to_vec());
            self.spare = Some(completion.buffer);
            result
        })
    }

    fn clear(&mut self) -> Work<Result<(), Fail>> {
        let cleared = self.endpoint.clear_halt().map_err(|error| match error.kind() {
            ErrorKind::Disconnected => Fail::Gone,
            _ => Fail::Fault,
        });
        Box::pin(cleared.into_future())
    }

    fn release(mut self: Box<Self>) -> Work<()> {
        Box::pin(async move {
            self.endpoint.cancel_all();
            while self.endpoint.pending() > 0 {
                self.endpoint.next_complete().await;
            }
            let Self { interface, endpoint, .. } = *self;
            drop(endpoint);
            // The kernel's driver comes back here, which takes as long as the device does.
            if let Err(error) = interface.release().await {
                tracing::debug!(%error, "the communication interface is still held");
            }
        })
    }
}

fn fail(error: TransferError) -> Fail {
    match error {
        TransferError::Stall => Fail::Stalled,
        TransferError::Cancelled => Fail::Late,
        TransferError::Disconnected => Fail::Gone,
        TransferError::Fault | TransferError::InvalidArgument | TransferError::Unknown(_) => Fail::Fault,
    }
}

/// The data interface.
#[derive(Debug)]
pub(super) struct Bulks {
    /// `None` after its end.
    interface: Option<Interface>,
    /// Both endpoints; `None` while the interface is idle.
    ends: Option<(Endpoint<Bulk, In>, Endpoint<Bulk, Out>)>,
    function: Function,
    /// Octets of a transfer from the device: whole packets, or the last one would overflow.
    block: usize,
    /// Buffers from the device that were taken apart.
    spare: Vec<Buffer>,
}

impl Bulks {
    fn open(&mut self) -> io::Result<()> {
        let interface = self.interface.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let input = interface.endpoint(self.function.bulk_in.address)?;
        let output = interface.endpoint(self.function.bulk_out.address)?;
        self.ends = Some((input, output));
        Ok(())
    }
}

impl Pipes for Bulks {
    fn begin_in(&mut self) {
        let Some((input, _)) = &mut self.ends else { return };
        let buffer = self.spare.pop().unwrap_or_else(|| input.allocate(self.block));
        input.submit(buffer);
    }

    fn poll_in(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&[u8])) -> Poll<Ended> {
        // The library allows nobody to wait for nothing.
        let Some((input, _)) = self.ends.as_mut().filter(|(input, _)| input.pending() > 0) else {
            return Poll::Pending;
        };
        input.poll_next_complete(cx).map(|completion| {
            if completion.status.is_ok() {
                take(&completion.buffer);
            }
            self.spare.push(completion.buffer);
            ended(completion.status)
        })
    }

    fn begin_out(&mut self, block: Vec<u8>) {
        if let Some((_, output)) = &mut self.ends {
            output.submit(block.into());
        }
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<(Vec<u8>, Ended)> {
        let Some((_, output)) = self.ends.as_mut().filter(|(_, output)| output.pending() > 0) else {
            return Poll::Pending;
        };
        output.poll_next_complete(cx).map(|completion| (completion.buffer.into_vec(), ended(completion.status)))
    }

    fn pending(&self, way: Way) -> usize {
        match (&self.ends, way) {
            (None, _) => 0,
            (Some((input, _)), Way::In) => input.pending(),
            (Some((_, output)), Way::Out) => output.pending(),
        }
    }

    fn take_back(&mut self, way: Way) {
        match (&mut self.ends, way) {
            (None, _) => {}
            (Some((input, _)), Way::In) => input.cancel_all(),
            (Some((_, output)), Way::Out) => output.cancel_all(),
        }
    }

    fn clear(&mut self, way: Way) -> Work<bool> {
        match (&mut self.ends, way) {
            (None, _) => Box::pin(std::future::ready(false)),
            (Some((input, _)), Way::In) => Box::pin(input.clear_halt().map(|result| result.is_ok()).into_future()),
            (Some((_, output)), Way::Out) => Box::pin(output.clear_halt().map(|result| result.is_ok()).into_future()),
        }
    }

    async fn reset(&mut self) -> bool {
        self.ends = None;
        let Some(interface) = &self.interface else { return false };
        for setting in [0, self.function.data_alternate] {
            if let Err(error) = interface.set_alt_setting(setting).await {
                tracing::debug!(%error, setting, "the data interface does not take a setting");
                return false;
            }
        }
        self.open().is_ok()
    }

    async fn idle(&mut self) {
        self.ends = None;
        self.spare.clear();
        let Some(interface) = self.interface.take() else { return };
        if let Err(error) = interface.set_alt_setting(0).await {
            tracing::debug!(%error, "the data interface does not become idle");
        }
        if let Err(error) = interface.release().await {
            tracing::debug!(%error, "the data interface is still held");
        }
    }
}

fn ended(status: Result<(), TransferError>) -> Ended {
    match status {
        Ok(()) => Ended::Done,
        Err(TransferError::Cancelled) => Ended::TakenBack,
        Err(TransferError::Stall) => Ended::Halted,
        Err(TransferError::Disconnected) => Ended::Gone,
        Err(TransferError::Fault | TransferError::InvalidArgument | TransferError::Unknown(_)) => Ended::Fault,
    }
}
