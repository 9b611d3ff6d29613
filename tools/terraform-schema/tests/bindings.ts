export class ShelfStickersOutputReference extends cdktf.ComplexObject {
  // colour - computed: true, optional: false, required: false
  public get colour() {
    return this.getStringAttribute('colour');
  }

  // since - computed: true, optional: false, required: false
  public get since() {
    return this.getNumberAttribute('since');
  }
}

export function shelfBoardScrewToHclTerraform(struct?: ShelfBoardScrew): any {
  const attrs = {
    size: {
      value: cdktf.numberToHclTerraform(struct!.size),
      isBlock: false,
      type: "simple",
      storageClassType: "number",
    },
  };
}

export class ShelfBoardScrewOutputReference extends cdktf.ComplexObject {
  // size - computed: false, optional: false, required: true
  private _size?: number;
  public get size() {
    return this.getNumberAttribute('size');
  }
}

export function shelfBoardToHclTerraform(struct?: ShelfBoard): any {
  const attrs = {
    length: {
      value: cdktf.numberToHclTerraform(struct!.length),
      isBlock: false,
      type: "simple",
      storageClassType: "number",
    },
    screw: {
      value: cdktf.listMapperHcl(shelfBoardScrewToHclTerraform, true)(struct!.screw),
      isBlock: true,
      type: "list",
      storageClassType: "ShelfBoardScrewList",
    },
  };
}

export class ShelfBoardOutputReference extends cdktf.ComplexObject {
  // length - computed: false, optional: false, required: true
  private _length?: number;
  public get length() {
    return this.getNumberAttribute('length');
  }

  // screw - computed: false, optional: true, required: false
  private _screw = new ShelfBoardScrewList(this, "screw", false);
  public get screw() {
    return this._screw;
  }
}

export function shelfGoodsToHclTerraform(struct?: ShelfGoods): any {
  const attrs = {
    name: {
      value: cdktf.stringToHclTerraform(struct!.name),
      isBlock: false,
      type: "simple",
      storageClassType: "string",
    },
  };
}

export class ShelfGoodsOutputReference extends cdktf.ComplexObject {
  // name - computed: false, optional: false, required: true
  private _name?: string;
  public get name() {
    return this.getStringAttribute('name');
  }
}

export function shelfTimeoutsToHclTerraform(struct?: ShelfTimeouts): any {
  const attrs = {
    create: {
      value: cdktf.stringToHclTerraform(struct!.create),
      isBlock: false,
      type: "simple",
      storageClassType: "string",
    },
  };
}

export class ShelfTimeoutsOutputReference extends cdktf.ComplexObject {
  // create - computed: false, optional: true, required: false
  private _create?: string;
  public get create() {
    return this.getStringAttribute('create');
  }
}

export class Shelf extends cdktf.TerraformResource {
  public static readonly tfResourceType = "shop_shelf";

  public constructor(scope: Construct, id: string, config: ShelfConfig) {
    super(scope, id, {
      terraformResourceType: 'shop_shelf',
      terraformGeneratorMetadata: {
        providerName: 'shop',
        providerVersion: '6.50.0',
      },
    });
  }

  // id - computed: true, optional: true, required: false
  private _id?: string;
  public get id() {
    return this.getStringAttribute('id');
  }

  // key_wo - computed: false, optional: true, required: false
  private _keyWo?: string;
  public get keyWo() {
    return this.getStringAttribute('key_wo');
  }

  // labels - computed: false, optional: true, required: false
  private _labels?: { [key: string]: string };
  public get labels() {
    return this.getStringMapAttribute('labels');
  }

  // name - computed: false, optional: false, required: true
  private _name?: string;
  public get name() {
    return this.getStringAttribute('name');
  }

  // open - computed: false, optional: true, required: false
  private _open?: boolean | cdktf.IResolvable;
  public get open() {
    return this.getBooleanAttribute('open');
  }

  // stickers - computed: true, optional: false, required: false
  private _stickers = new ShelfStickersList(this, "stickers", false);
  public get stickers() {
    return this._stickers;
  }

  // weight - computed: true, optional: false, required: false
  public get weight() {
    return this.getNumberAttribute('weight');
  }

  // zones - computed: true, optional: false, required: false
  public get zones() {
    return cdktf.Fn.tolist(this.getListAttribute('zones'));
  }

  // board - computed: false, optional: false, required: true
  private _board = new ShelfBoardOutputReference(this, "board");
  public get board() {
    return this._board;
  }

  // goods - computed: false, optional: true, required: false
  private _goods = new ShelfGoodsList(this, "goods", true);
  public get goods() {
    return this._goods;
  }

  // timeouts - computed: false, optional: true, required: false
  private _timeouts = new ShelfTimeoutsOutputReference(this, "timeouts");
  public get timeouts() {
    return this._timeouts;
  }

  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      id: {
        value: cdktf.stringToHclTerraform(this._id),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      key_wo: {
        value: cdktf.stringToHclTerraform(this._keyWo),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      labels: {
        value: cdktf.hashMapperHcl(cdktf.stringToHclTerraform)(this._labels),
        isBlock: false,
        type: "map",
        storageClassType: "stringMap",
      },
      name: {
        value: cdktf.stringToHclTerraform(this._name),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      open: {
        value: cdktf.booleanToHclTerraform(this._open),
        isBlock: false,
        type: "simple",
        storageClassType: "boolean",
      },
      board: {
        value: shelfBoardToHclTerraform(this._board.internalValue),
        isBlock: true,
        type: "list",
        storageClassType: "ShelfBoardList",
      },
      goods: {
        value: cdktf.listMapperHcl(shelfGoodsToHclTerraform, true)(this._goods.internalValue),
        isBlock: true,
        type: "set",
        storageClassType: "ShelfGoodsList",
      },
      timeouts: {
        value: shelfTimeoutsToHclTerraform(this._timeouts.internalValue),
        isBlock: true,
        type: "struct",
        storageClassType: "ShelfTimeouts",
      },
    };
  }
}

export class DataShelf extends cdktf.TerraformDataSource {
  public static readonly tfResourceType = "shop_shelf";

  // weight - computed: true, optional: false, required: false
  public get weight() {
    return this.getNumberAttribute('weight');
  }
}

export function shopProviderBatchingToHclTerraform(struct?: ShopProviderBatching): any {
  const attrs = {
    enable_batching: {
      value: cdktf.booleanToHclTerraform(struct!.enableBatching),
      isBlock: false,
      type: "simple",
      storageClassType: "boolean",
    },
  };
}

export class ShopProvider extends cdktf.TerraformProvider {
  public static readonly tfResourceType = "shop";

  // region - computed: false, optional: true, required: false
  private _region?: string;
  public get region() {
    return this._region;
  }

  // batching - computed: false, optional: true, required: false
  private _batching?: ShopProviderBatching;
  public get batching() {
    return this._batching;
  }

  protected synthesizeHclAttributes(): { [name: string]: any } {
    const attrs = {
      region: {
        value: cdktf.stringToHclTerraform(this._region),
        isBlock: false,
        type: "simple",
        storageClassType: "string",
      },
      batching: {
        value: shopProviderBatchingToHclTerraform(this._batching),
        isBlock: true,
        type: "list",
        storageClassType: "ShopProviderBatching",
      },
    };
  }
}
